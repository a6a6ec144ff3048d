"use strict";
// A click on a word or a time plays from there; the word that is being spoken is marked.
const audio = document.querySelector("audio");
const words = [...document.querySelectorAll("span[data-start]")];
const starts = words.map((word) => Number(word.dataset.start));
let spoken = null;

document.addEventListener("click", (event) => {
  const target = event.target.closest("[data-start]");
  if (!target) return;
  audio.currentTime = Number(target.dataset.start);
  audio.play();
});

// Index of the last word that starts at or before the time; words are sorted by their start.
function indexAt(time) {
  let low = 0;
  let high = starts.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (starts[middle] <= time) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

function follow() {
  const word = words[indexAt(audio.currentTime)] ?? null;
  const current = word && audio.currentTime < Number(word.dataset.end) ? word : null;
  if (current !== spoken) {
    spoken?.classList.remove("spoken");
    current?.classList.add("spoken");
    spoken = current;
  }
  if (!audio.paused) requestAnimationFrame(follow);
}
audio.addEventListener("play", follow);
audio.addEventListener("seeked", follow);

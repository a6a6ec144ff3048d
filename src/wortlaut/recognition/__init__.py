"""From sound to text: Whisper on CTranslate2, window by window, with gates against invented text."""

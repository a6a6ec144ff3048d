"""Phrases that Whisper writes where nobody speaks: credits and thanks of the subtitles it learned from.

People say some of them too, so a phrase alone proves nothing.
"""

from __future__ import annotations

# Letters and digits only, in lower case. Collected from public reports about Whisper and what is built on it.
_PHRASES = frozenset(
    {
        # English
        *("you", "thankyou", "thanks", "bye", "byebye", "thankyouverymuch", "thankyousomuch"),
        *("thanksforwatching", "thankyouforwatching", "thankyousomuchforwatching", "seeyounexttime"),
        *("pleasesubscribe", "likeandsubscribe", "subtitlesbytheamaraorgcommunity", "illseeyouinthenextvideo"),
        # German
        *("vielendank", "danke", "tschüss", "bisbald", "vielendankfürszuschauen", "vielendankfürihreaufmerksamkeit"),
        *("untertitelderamaraorgcommunity", "untertitelungdeszdf2020", "untertitelimauftragdeszdffürfunk2017"),
        *("untertitelungaufgrundderaudioqualitätnichtmöglich", "copyrightwdr2021", "swr2020", "swr2021"),
        # French
        *("merci", "aurevoir", "mercidavoirregardécettevidéo", "soustitresréalisésparlacommunautédamaraorg"),
        *("soustitrageradiocanada", "soustitragestéphaniecourchesne", "àbientôt"),
        # Spanish, Portuguese, Italian
        *("gracias", "graciasporver", "subtítulosporlacomunidaddeamaraorg", "suscríbete", "obrigado", "obrigada"),
        *("legendaspelacomunidadeamaraorg", "grazie", "grazieatutti", "sottotitolicreatidallacomunitàamaraorg"),
        # Dutch, Polish, Russian, Turkish
        *(
            "bedankt",
            "ondertitelsingediendoordeamaraorggemeenschap",
            "dziękuję",
            "napisystworzoneprzezspołecznośćamaraorg",
        ),
        *(
            "продолжениеследует",
            "субтитрысделалdimatorzok",
            "спасибозапросмотр",
            "altyazımk",
            "izlediğiniziçinteşekkürler",
        ),
        # Japanese, Chinese, Korean
        *(
            "ご視聴ありがとうございました",
            "ありがとうございました",
            "谢谢观看",
            "谢谢大家",
            "请不吝点赞订阅转发打赏支持明镜与点点栏目",
        ),
        *("字幕由amaraorg社区提供", "字幕志愿者杨茜茜", "시청해주셔서감사합니다", "감사합니다", "mbc뉴스이덕영입니다"),
    }
)


def is_phantom(text: str) -> bool:
    """Whether a text is nothing but one of those phrases, once or again and again."""
    letters = "".join(character for character in text.casefold() if character.isalnum())
    return bool(letters) and any(_is_made_of(letters, phrase) for phrase in _PHRASES)


def _is_made_of(letters: str, phrase: str) -> bool:
    count, rest = divmod(len(letters), len(phrase))
    return not rest and letters == phrase * count

"""Messages in the reader's language.

All rooms speak English: an error, a notice or a finding carries an English sentence and a code that never changes. The
edges, where people read, look the sentence up here. What has no translation stays English; nothing is lost.
"""

/**
 * What failures are called, by kind, where the program's own sentence is in another language than the page. In English it stands for
 * itself.
 */
export const en = {
  disconnected: 'Puna is out of reach just now.',
  disconnectedRemedy: 'Try again once it is connected.',
  details: 'Details',
  notes_one: '{{count}} note',
  notes_other: '{{count}} notes',
  'invalid-input': 'This cannot be done.',
  'nothing-to-learn': 'There is nothing in it to learn.',
  'not-found': 'It is no longer there.',
  'not-gguf': 'This is not a GGUF file.',
  'file-damaged': 'The file is damaged.',
  'file-missing': 'The file is not there.',
  'unsupported-model': 'This model cannot be used.',
  'out-of-memory': 'There is not enough memory.',
  'disk-full': 'The disk is full.',
  'database-locked': 'The database is in use by another program.',
  'database-damaged': 'The database is damaged.',
  'database-newer': 'The database is from a newer Puna.',
  'already-running': 'Puna is running already.',
  'port-in-use': 'The port is taken.',
  'engine-died': 'The engine has stopped.',
  'no-model': 'There is no model to answer.',
  network: 'The server cannot be reached, or does not answer as it should.',
  'no-access': 'The server does not allow this.',
  'no-trash': 'The trash does not take this.',
  cancelled: 'It was cancelled.',
  internal: 'Something unforeseen went wrong.',
  /** What to do, for the kinds of which no more need be said: what the program says is folded away then. */
  remedies: {
    'nothing-to-learn': 'Take data with replies or texts, or let the model read more at once.',
    'not-gguf': 'Choose a file that ends with .gguf.',
    'file-damaged': 'Download or copy it again, or take another one.',
    'unsupported-model':
      'The file may be damaged, or of a kind that Puna does not know yet. Take another one.',
    'out-of-memory': 'Close other programs, or take a smaller model or a smaller context.',
    'disk-full': 'Free some space, and try again.',
    'database-locked': 'Close the other program, and try again.',
    'engine-died': 'Try again. If it happens again, take a smaller model.',
    'no-model': 'Add a model on the Models page.',
    network: 'Look whether this computer is online and the address is right, and try again.',
    'no-access': 'Look whether the key or token is right and may be used for this.',
    cancelled: 'You can begin again at any time.',
  },
};

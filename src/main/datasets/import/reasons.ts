/** Why something of an export was left out, as reports count it. */
export const reasons = {
  brokenJson: 'broken JSON',
  wrongShape: 'messages that are not as they should be',
  wrongConversation: 'conversations that are not as they should be',
  brokenCharacters: 'messages with characters that could not be decoded',
  system: 'messages of the system',
  media: 'pictures, stickers and other media',
  deleted: 'deleted messages',
  forwarded: 'forwarded messages',
  bots: 'messages of bots',
  tools: 'messages of tools',
  hidden: 'hidden messages',
  afterMedia: 'turns from a picture or file on',
  tooLong: 'messages that are too long',
  unranked: 'replies that were not ranked best',
  orphans: 'messages whose beginning is missing',
} as const;

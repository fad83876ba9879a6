/** Texts of the switch for other programs. */
export const en = {
  title: 'For other programs',
  hint: 'Programs of this computer that speak the API of OpenAI can use your models. Nobody else reaches it.',
  switch: 'Offer models to other programs',
  switchHint: 'Whoever has the key can have your models write, while Puna is open.',
  address: 'Address',
  addressHint: 'What programs call base URL.',
  copyAddress: 'Copy address',
  key: 'Key',
  keyHint: 'What programs call API key. Give it only to those that you trust.',
  copyKey: 'Copy key',
  showKey: 'Show key',
  hideKey: 'Hide key',
  port: 'Port',
  portHint: 'Another one, where a program has this one already.',
};

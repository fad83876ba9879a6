import Globe from '@lucide/svelte/icons/globe';
import Monitor from '@lucide/svelte/icons/monitor';
import Network from '@lucide/svelte/icons/network';
import type { Component } from 'svelte';
import type { ServerPlace } from '../../../shared/contract/index.ts';
import { addressUrl, placeOf } from '../../../shared/server-address.ts';

/** Beside each icon stand words, which say the same. */
export const placeIcons: Record<ServerPlace, Component<{ size: number; 'aria-hidden': 'true' }>> = {
  'this-computer': Monitor,
  'local-network': Network,
  elsewhere: Globe,
};

/** The machine in an address, as people know it: `192.168.0.7:8000`. What is no address stays as it is. */
export function hostOf(address: string): string {
  return addressUrl(address)?.host ?? address;
}

/** Where an address leads, as the program sees it; null while it is none. */
export function placeOfAddress(address: string): ServerPlace | null {
  const url = addressUrl(address);
  return url && placeOf(url.hostname);
}

/** Whether what goes to an address can be read on its way to another machine. */
export function isOpen(address: string): boolean {
  const url = addressUrl(address);
  return url?.protocol === 'http:' && placeOf(url.hostname) !== 'this-computer';
}

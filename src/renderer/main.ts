import '@fontsource/jetbrains-mono/400.css';
// Whole, not cut to what a Korean page needs: those pieces lack letters such as ñ and µ, which then came from another face.
import 'pretendard/dist/web/variable/pretendardvariable.css';
import { mount } from 'svelte';
import App from './App.svelte';
import { useRememberedLanguage } from './lib/i18n.svelte.ts';
import { useRememberedTheme } from './lib/theme.ts';
import './tokens.css';
import './base.css';

useRememberedTheme();
useRememberedLanguage();
const target = document.getElementById('app');
if (!target) throw new Error('index.html has no #app');
mount(App, { target });

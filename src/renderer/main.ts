import '@fontsource/jetbrains-mono/latin-400.css';
import 'pretendard/dist/web/variable/pretendardvariable-dynamic-subset.css';
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

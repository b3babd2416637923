import './styles/tokens.css';
import './styles/base.css';
import './styles/controls.css';
import './styles/overlay.css';
import { mount } from 'svelte';
import App from './App.svelte';
import './lib/appearance.svelte';
import { keepShell } from './net/shell';
import { kith } from './state/kith.svelte';

const target = document.getElementById('app');
if (target !== null) mount(App, { target });
void kith.start();
addEventListener('load', () => void keepShell());

import { mount } from 'svelte';

import App from './App.svelte';
import './style/tokens.css';
import './style/base.css';
import './style/shared.css';

const target = document.getElementById('app');
if (!target) throw new Error('index.html has no place for the application');
mount(App, { target });

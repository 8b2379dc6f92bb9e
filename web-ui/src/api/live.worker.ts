// The switchboard of a browser: all pages of one person share it, and with it one connection to the engine.

import { Lines, type FromPage, type ToPage } from './lines';

const lines = new Lines();

addEventListener('connect', (event) => {
    const [port] = (event as MessageEvent).ports;
    if (!port) return;
    const page = lines.page((told: ToPage) => port.postMessage(told));
    port.onmessage = ({ data }: MessageEvent<FromPage>) => page.hear(data);
});
setInterval(() => lines.sweep(), 30_000);

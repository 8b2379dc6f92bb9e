// The name of a page in the browser's tab and history, and the mark beside it, which carries the state of what is shown.

import type { Tone } from './verdict';

const COLOURS: Record<Tone, string> = {
    pass: '#2f9e52',
    fail: '#d43a33',
    warn: '#d88a15',
    work: '#2f79d6',
    idle: '#8a93a0',
};

/** Shows a title, and a tone in the tab's mark, as long as the calling component lives. */
export function titled(title: () => string, tone: () => Tone | undefined = () => undefined): void {
    $effect(() => {
        document.title = `${title()} – Jackfield`;
    });
    $effect(() => {
        const link = document.querySelector<HTMLLinkElement>('link[rel="icon"]');
        const shown = tone();
        if (!link || !shown) return;
        const before = link.href;
        link.href = mark(COLOURS[shown]);
        return () => {
            link.href = before;
        };
    });
}

/** A round mark of a colour, drawn here: no file for each. */
function mark(colour: string): string {
    const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><circle cx="8" cy="8" r="7" fill="${colour}"/></svg>`;
    return `data:image/svg+xml,${encodeURIComponent(svg)}`;
}

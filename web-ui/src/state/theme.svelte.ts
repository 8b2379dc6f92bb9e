// Light or dark: the system's, unless one was chosen in this browser.

const NAMES = ['system', 'light', 'dark'] as const;
type Name = (typeof NAMES)[number];

const KEY = 'jackfield.theme';

class Theme {
    name = $state<Name>(NAMES.find((name) => name === localStorage.getItem(KEY)) ?? 'system');
    /** What the next turn takes. */
    readonly next: Name = $derived(NAMES[(NAMES.indexOf(this.name) + 1) % NAMES.length] ?? 'system');

    constructor() {
        this.#show();
    }

    turn(): void {
        this.name = this.next;
        localStorage.setItem(KEY, this.name);
        this.#show();
    }

    #show(): void {
        document.documentElement.dataset['theme'] = this.name;
    }
}

export const theme = new Theme();

/** Calls when the theme has changed: with the system, or on the page. Answers how to stop. */
export function whenTheme(changed: () => void): () => void {
    const dark = matchMedia('(prefers-color-scheme: dark)');
    dark.addEventListener('change', changed);
    const watcher = new MutationObserver(changed);
    watcher.observe(document.documentElement, { attributeFilter: ['data-theme'] });
    return () => {
        dark.removeEventListener('change', changed);
        watcher.disconnect();
    };
}

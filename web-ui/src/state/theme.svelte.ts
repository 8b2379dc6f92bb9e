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

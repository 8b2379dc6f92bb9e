// One set of keys: what a key does here, told by `?` and by the palette. A page adds its own while it is shown; the same
// key means the same on every page.

import { untrack } from 'svelte';

/** A deed that has a key, or at least a name. */
export type Deed = {
    /** What it does, as a sentence begins: `Pause run 41`. */
    name: string;
    /** `p`, `Shift+j`, `g r` (one after the other), `Ctrl+k`; none for what only the palette lists. */
    key?: string;
    /** Other keys for the same. */
    also?: string[];
    /** Under which heading `?` lists it. */
    group: 'Go' | 'Move' | 'This page' | 'Everywhere';
    act: () => void;
    /** Also while somebody types into a field. */
    typing?: boolean;
    /** Not worth a line in the palette. */
    unlisted?: boolean;
};

/** How long the first of two keys waits for the second. */
const PAIR_MILLIS = 1_200;

class Keys {
    #sets = $state.raw<readonly (() => Deed[])[]>([]);
    #first = '';
    #pressed = 0;
    /** Whether the focus has moved since a key last did something. */
    #moved = false;

    /** All that can be done now; those of the page come first. */
    readonly deeds: Deed[] = $derived(this.#sets.toReversed().flatMap((set) => set()));

    constructor() {
        addEventListener('keydown', (event) => this.#press(event));
        addEventListener('focusin', () => (this.#moved = true));
    }

    /** Adds deeds as long as the effect that calls this lives: `$effect(() => keys.offer(() => […]))`. */
    offer(deeds: () => Deed[]): () => void {
        // Whoever offers does not follow what others offer.
        this.#sets = [...untrack(() => this.#sets), deeds];
        return () => (this.#sets = this.#sets.filter((set) => set !== deeds));
    }

    #press(event: KeyboardEvent): void {
        if (event.defaultPrevented || event.isComposing || event.key === 'Shift' || event.key === 'Control')
            return;
        // A dialog has keys of its own, and Escape closes it.
        if (document.querySelector('dialog[open]') !== null) return;
        // Whoever went to a link or a button means that; whoever then walked a list by keys means the list.
        if (this.#moved && activates(event)) return;
        const types = isTyping(event.target);
        const key = nameOf(event);
        const pair = performance.now() - this.#pressed < PAIR_MILLIS ? `${this.#first} ${key}` : '';
        const fits = (deed: Deed, name: string) =>
            name !== '' && (deed.key === name || deed.also?.includes(name));
        const deeds = this.deeds.filter((deed) => !types || deed.typing);
        const deed = deeds.find((deed) => fits(deed, pair)) ?? deeds.find((deed) => fits(deed, key));
        this.#first = types ? '' : key;
        this.#pressed = performance.now();
        if (!deed) return;
        event.preventDefault();
        this.#first = '';
        this.#moved = false;
        deed.act();
    }
}

/** Whether the key does what the thing under the focus is there for. */
function activates({ key, target }: KeyboardEvent): boolean {
    if (key !== 'Enter' && key !== ' ') return false;
    return target instanceof Element && target.closest('a[href], button, summary') !== null;
}

/** Whether a key pressed here is meant as text. */
function isTyping(target: EventTarget | null): boolean {
    if (!(target instanceof HTMLElement)) return false;
    if (target instanceof HTMLInputElement)
        return !['checkbox', 'radio', 'button', 'range'].includes(target.type);
    return (
        target.isContentEditable ||
        ['TEXTAREA', 'SELECT'].includes(target.tagName) ||
        target.closest('.xterm, .text-editor') !== null
    );
}

/** A pressed key, as deeds name it. */
export function nameOf(
    event: Pick<KeyboardEvent, 'key' | 'ctrlKey' | 'metaKey' | 'altKey' | 'shiftKey'>,
): string {
    const letter = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    const shifted =
        event.shiftKey && (event.key.length > 1 || event.key.toLowerCase() !== event.key.toUpperCase());
    const parts = [
        event.ctrlKey || event.metaKey ? 'Ctrl' : '',
        event.altKey ? 'Alt' : '',
        shifted ? 'Shift' : '',
        letter,
    ];
    return parts.filter(Boolean).join('+');
}

export const keys = new Keys();

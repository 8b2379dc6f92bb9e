// What is done to any file that is edited, and by which keys.

import type { Deed } from '../frame/keys.svelte';
import type { Base, Draft } from '../state/draft.svelte';
import { place } from '../state/place.svelte';

const group = 'This page';

/** What stands in a field counts when it is left: a key that acts on all of it leaves it first. */
export const settled = (act: () => void) => () => {
    const field = document.activeElement;
    if (field instanceof HTMLInputElement || field instanceof HTMLTextAreaElement) {
        field.blur();
        field.focus();
    }
    act();
};

/** Shows a pane of the page, or no more. */
export function turnTo(pane: string): void {
    place.set({ pane: place.query['pane'] === pane ? undefined : pane });
}

/** What shows it otherwise. */
export const showing: readonly Deed[] = [
    { name: 'Difference to the file', key: 'd', group, act: () => turnTo('difference') },
    { name: 'Text of the file', key: 'e', group, act: () => turnTo('text') },
];

/** What changes the draft. */
export function changing<I extends Base, C>(draft: Draft<I, C>): Deed[] {
    return [
        { name: 'Save', key: 'Ctrl+s', group, act: settled(() => void draft.save()), typing: true },
        {
            name: `Undo${draft.undoes ? `: ${draft.undoes}` : ''}`,
            key: 'Ctrl+z',
            group,
            act: () => void draft.undo(),
        },
        {
            name: `Redo${draft.redoes ? `: ${draft.redoes}` : ''}`,
            key: 'Ctrl+Shift+z',
            also: ['Ctrl+y'],
            group,
            act: () => void draft.redo(),
        },
    ];
}

// Copying. Browsers give pages their clipboard only over HTTPS and on the machine itself; most labs reach their engine by
// plain HTTP under a name, where the old way still works.

import { Problem } from '../api/problem';

/**
 * Puts a text on the clipboard.
 *
 * @throws Problem, where the browser does not allow it
 */
export async function copyText(text: string): Promise<void> {
    // Not there in insecure contexts, whatever its type says.
    const clipboard = navigator.clipboard as Clipboard | undefined;
    try {
        if (clipboard) {
            await clipboard.writeText(text);
            return;
        }
    } catch {
        // Refused: the old way may be allowed.
    }
    if (!copiedTheOldWay(text))
        throw new Problem('bad_request', 'the browser does not let this page use the clipboard');
}

function copiedTheOldWay(text: string): boolean {
    const before = document.activeElement;
    const field = document.createElement('textarea');
    field.value = text;
    field.className = 'heard';
    // Inside of an open dialog, which keeps the focus to itself.
    (document.querySelector('dialog[open]') ?? document.body).append(field);
    field.select();
    try {
        return document.execCommand('copy');
    } finally {
        field.remove();
        if (before instanceof HTMLElement) before.focus();
    }
}

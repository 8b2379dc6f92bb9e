// What a person hears who sees nothing: the role and name of what has the focus, from the browser's accessibility tree, and the way there by keys.

import type { CDPSession, Page } from 'playwright-core';

/** How many presses of a key may lead to anything. */
const PRESSES_MAX = 120;

type Node = { role?: { value?: string }; name?: { value?: string }; value?: { value?: string } };

export class Listener {
    private constructor(
        readonly page: Page,
        private readonly devtools: CDPSession,
    ) {}

    static async to(page: Page): Promise<Listener> {
        return new Listener(page, await page.context().newCDPSession(page));
    }

    /** What is heard of the thing with the focus, or of the one in it that is active: `button: Save`. */
    async heard(): Promise<string> {
        const { result } = await this.devtools.send('Runtime.evaluate', {
            expression:
                "(() => { const at = document.activeElement; const id = at?.getAttribute('aria-activedescendant'); return (id && document.getElementById(id)) || at; })()",
        });
        if (result.objectId === undefined) return '';
        const { nodes } = await this.devtools.send('Accessibility.getPartialAXTree', {
            objectId: result.objectId,
            fetchRelatives: false,
        });
        const node = nodes[0] as Node | undefined;
        const inside = await this.page.evaluate(() => {
            const at = document.activeElement;
            return at?.hasAttribute('aria-activedescendant') ? at.getAttribute('aria-label') : null;
        });
        return `${node?.role?.value ?? ''}: ${node?.name?.value ?? ''}${inside === null ? '' : `, in ${inside}`}`;
    }

    /** Presses a key until something is heard. */
    async until(key: string, wanted: RegExp): Promise<void> {
        const heard: string[] = [];
        for (let presses = 0; presses < PRESSES_MAX; presses++) {
            heard.push(await this.heard());
            if (wanted.test(heard.at(-1) ?? '')) return;
            await this.page.keyboard.press(key);
        }
        throw new Error(`${PRESSES_MAX} presses of ${key} lead past:\n${[...new Set(heard)].join('\n')}`);
    }

    /** Goes to something by Tab. */
    tab(wanted: RegExp): Promise<void> {
        return this.until('Tab', wanted);
    }

    /** Goes back to something by Shift and Tab. */
    back(wanted: RegExp): Promise<void> {
        return this.until('Shift+Tab', wanted);
    }

    /** Waits for words that are said by themselves. */
    async said(wanted: RegExp): Promise<void> {
        const live = '[aria-live], [role="status"], [role="alert"]';
        await this.page.locator(live, { hasText: wanted }).first().waitFor({ state: 'attached' });
    }

    async press(...keys: string[]): Promise<void> {
        for (const key of keys) await this.page.keyboard.press(key);
    }

    /** Types over what is in a field, and takes it. */
    async fill(text: string): Promise<void> {
        await this.page.keyboard.press('Control+a');
        await this.page.keyboard.type(text);
        await this.page.keyboard.press('Enter');
    }
}

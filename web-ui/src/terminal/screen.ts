// A terminal in the page: xterm.js, loaded when the first one is wanted, and kept within our content policy.

import type { FitAddon } from '@xterm/addon-fit';
import type { SearchAddon } from '@xterm/addon-search';
import type { ITheme, Terminal } from '@xterm/xterm';

export interface Screen {
    readonly terminal: Terminal;
    readonly fit: FitAddon;
    readonly search: SearchAddon;
    close(): void;
}

/** Lines that can be scrolled back to. */
const SCROLLBACK = 10_000;

/** Opens a terminal in an element. `columns` and `rows` where its size is not that of the element. */
export async function open(
    element: HTMLElement,
    { isReadOnly, size }: { isReadOnly: boolean; size?: { columns: number; rows: number } },
): Promise<Screen> {
    const [{ Terminal }, { FitAddon }, { SearchAddon }] = await Promise.all([
        import('@xterm/xterm'),
        import('@xterm/addon-fit'),
        import('@xterm/addon-search'),
        import('@xterm/xterm/css/xterm.css'),
    ]);
    const sheets: CSSStyleSheet[] = [];
    const terminal = new Terminal({
        allowProposedApi: true,
        convertEol: false,
        cursorBlink: false,
        cursorInactiveStyle: 'outline',
        disableStdin: isReadOnly,
        documentOverride: lawful(sheets),
        fontFamily: getComputedStyle(element).getPropertyValue('--machine'),
        fontSize: 13,
        // A screen reader hears what the device says.
        screenReaderMode: true,
        scrollback: SCROLLBACK,
        theme: theme(element),
        ...(size ? { cols: size.columns, rows: size.rows } : {}),
    });
    const [fit, search] = [new FitAddon(), new SearchAddon()];
    terminal.loadAddon(fit);
    terminal.loadAddon(search);
    terminal.open(element);
    const dark = matchMedia('(prefers-color-scheme: dark)');
    const turned = (): void => void (terminal.options.theme = theme(element));
    dark.addEventListener('change', turned);
    const watcher = new MutationObserver(turned);
    watcher.observe(document.documentElement, { attributeFilter: ['data-theme'] });
    return {
        terminal,
        fit,
        search,
        close() {
            dark.removeEventListener('change', turned);
            watcher.disconnect();
            terminal.dispose();
            document.adoptedStyleSheets = document.adoptedStyleSheets.filter(
                (sheet) => !sheets.includes(sheet),
            );
        },
    };
}

/**
 * The document, with style elements whose text becomes a constructed style sheet. xterm writes the sizes of its cells and
 * the colours of its theme into `<style>` elements, which a policy without `unsafe-inline` forbids; a sheet that a script
 * constructs is a script's work, and allowed.
 */
function lawful(sheets: CSSStyleSheet[]): Document {
    const make = (name: string): HTMLElement => {
        const element = document.createElement(name);
        if (name !== 'style') return element;
        const sheet = new CSSStyleSheet();
        sheets.push(sheet);
        document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
        Object.defineProperty(element, 'textContent', {
            set: (text: string) => void sheet.replaceSync(text),
            get: () => '',
        });
        return element;
    };
    return new Proxy(document, {
        get(target, key) {
            if (key === 'createElement') return make;
            const value: unknown = Reflect.get(target, key, target);
            return typeof value === 'function' ? (value.bind(target) as unknown) : value;
        },
    });
}

/** The page's colours: those of the log, so that red is the same red. */
function theme(element: HTMLElement): ITheme {
    const probe = document.createElement('span');
    probe.hidden = true;
    element.append(probe);
    const token = (name: string): string => {
        probe.className = '';
        probe.style.color = `var(${name})`;
        return getComputedStyle(probe).color;
    };
    const colour = (number: number): string => {
        probe.style.color = '';
        probe.className = `fg-${number}`;
        return getComputedStyle(probe).color;
    };
    const found: ITheme = {
        background: token('--surface'),
        foreground: token('--ink'),
        cursor: token('--ink'),
        cursorAccent: token('--surface'),
        selectionBackground: token('--chosen'),
        black: colour(0),
        red: colour(1),
        green: colour(2),
        yellow: colour(3),
        blue: colour(4),
        magenta: colour(5),
        cyan: colour(6),
        white: colour(7),
        brightBlack: colour(8),
        brightRed: colour(9),
        brightGreen: colour(10),
        brightYellow: colour(11),
        brightBlue: colour(12),
        brightMagenta: colour(13),
        brightCyan: colour(14),
        brightWhite: colour(15),
    };
    probe.remove();
    return found;
}

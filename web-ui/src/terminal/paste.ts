// Pasting into a device: line by line, with time between, since a serial console loses what comes faster than it reads.

/** What is pasted, and how far it is. */
export interface Pasting {
    readonly sent: number;
    readonly lines: number;
}

/** Lines as a terminal sends them: each ended by Return. A last line without an end stays without one. */
export function linesOf(text: string): string[] {
    const lines = text.replaceAll('\r\n', '\n').replaceAll('\r', '\n').split('\n');
    const last = lines.pop() ?? '';
    const whole = lines.map((line) => `${line}\r`);
    return last === '' ? whole : [...whole, last];
}

/** Sends lines with a delay between them. The answer stops it; what was sent stays sent. */
export function paste(
    text: string,
    delayMillis: number,
    send: (line: string) => void,
    progress: (pasting: Pasting | undefined) => void,
): () => void {
    const lines = linesOf(text);
    let sent = 0;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const next = (): void => {
        const line = lines[sent];
        if (line === undefined) {
            progress(undefined);
            return;
        }
        send(line);
        sent += 1;
        progress({ sent, lines: lines.length });
        timer = setTimeout(next, delayMillis);
    };
    next();
    return () => {
        clearTimeout(timer);
        progress(undefined);
    };
}

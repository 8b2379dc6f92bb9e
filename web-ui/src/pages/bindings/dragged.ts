// What a dragged component of a SUT is called among the browser's own drags: a file from the desktop is none.

export const COMPONENT = 'application/x-jackfield-component';

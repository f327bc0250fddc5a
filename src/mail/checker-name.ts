/** How our checks name themselves in EHLO: a name that is nobody's (RFC 6761), as laptops rarely have one the world knows. */
export const checkerName = 'checker.smtp-setup.invalid';

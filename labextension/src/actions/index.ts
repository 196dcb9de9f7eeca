/**
 * All that edits a graph, for commands, which load it with the first use.
 */
export * from './align';
export * from './clipboard';
export * from './groups';
export * from './layout';
export * from './notes';
export * from './selection';
export * from './stages';

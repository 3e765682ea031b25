/** Style sheets are imported for their effect: the bundler takes them out and links them. */
declare module "*.css";

/** Style sheets are imported for their effect, pictures for the address that they will have. */
declare module "*.css";
declare module "*.svg" {
  const address: string;
  export default address;
}

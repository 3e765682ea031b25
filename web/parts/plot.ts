/** The part of the program that draws charts, in a file of its own so that it is fetched when there is one to draw. */
import Plot from "uplot";

export default Plot;

package layout

var Spread = spread

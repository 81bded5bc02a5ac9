//go:build !race

package whip_test

// joins is how often a viewer comes and goes in TestJoinsLeaveNothing.
const joins = 1000

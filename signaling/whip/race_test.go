//go:build race

package whip_test

// joins is how often a viewer comes and goes in TestJoinsLeaveNothing: the race
// detector makes each some ten times as dear.
const joins = 100

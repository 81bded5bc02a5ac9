// Package mend checks and mends single files by hand, also those that were not recorded
// here. What a server left open when it was killed the next one mends by itself: that is
// package recorder's.
package mend

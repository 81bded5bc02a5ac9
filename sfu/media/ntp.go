package media

import "time"

// NTPDuration converts a 64-bit NTP timestamp to a duration since its epoch,
// 1 January 1900.
func NTPDuration(ntp uint64) time.Duration {
	seconds := time.Duration(ntp>>32) * time.Second
	fraction := time.Duration((ntp & (1<<32 - 1)) * uint64(time.Second) >> 32)
	return seconds + fraction
}

// ntpUnix is the number of seconds from the NTP epoch to the Unix epoch.
const ntpUnix = 2208988800

// NTPTime converts a wall-clock time to a 64-bit NTP timestamp.
func NTPTime(t time.Time) uint64 {
	seconds := uint64(t.Unix() + ntpUnix)
	fraction := uint64(t.Nanosecond()) << 32 / uint64(time.Second)
	return seconds<<32 | fraction
}

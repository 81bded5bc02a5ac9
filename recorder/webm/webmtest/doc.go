// Package webmtest is what the tests of webm and the packages below it share: frames,
// files in memory that fail, parsers that share nothing with ours, ffmpeg.
package webmtest

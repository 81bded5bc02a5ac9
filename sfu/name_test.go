package sfu

import (
	"errors"
	"strings"
	"testing"
)

func TestValidName(t *testing.T) {
	long := strings.Repeat("a", 64)
	tests := []struct {
		name string
		ok   bool
	}{
		{"a", true},
		{"desk", true},
		{"acme/alice/desk", true},
		{"a/b/c/d", true},
		{"A-Z_0.9", true},
		{"-", true},
		{"_", true},
		{"a.", true},
		{"a..b", true},
		{long, true},
		{long + "/" + long + "/" + long + "/" + long, true},
		{"", false},
		{"/", false},
		{"/a", false},
		{"a/", false},
		{"a//b", false},
		{"a/b/c/d/e", false},
		{"a/b/c/d/", false},
		{strings.Repeat("/", 1000), false},
		{long + "a", false},
		{"a/" + long + "a", false},
		{".", false},
		{"..", false},
		{".hidden", false},
		{"a/../b", false},
		{"a/.b", false},
		{"a b", false},
		{" a", false},
		{"a\n", false},
		{"a\x00", false},
		{"a\\b", false},
		{"a:b", false},
		{"a%2fb", false},
		{"a?b", false},
		{"a#b", false},
		{"ä", false},
		{"\xff", false},
		{"a\xc0\xafb", false}, // an overlong slash
		{"ａ", false},
	}
	for _, tt := range tests {
		err := ValidName(tt.name)
		if (err == nil) != tt.ok {
			t.Errorf("ValidName(%q) = %v, want ok %v", tt.name, err, tt.ok)
		}
		if err != nil && !errors.Is(err, ErrBadName) {
			t.Errorf("ValidName(%q) = %v, which is no ErrBadName", tt.name, err)
		}
	}
}

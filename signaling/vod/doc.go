// Package vod serves recordings and their pictures over HTTP: whole, or in the ranges that a player
// seeks to (RFC 9110 section 14).
package vod

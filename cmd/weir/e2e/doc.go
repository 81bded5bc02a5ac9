// Package e2e tests the whole program as others meet it: pages in real browsers,
// players of other makers, proxies, processes that are ended and killed, networks
// that lose and change. It holds tests only.
//
// The program under test is built once for each run, with the race detector if the
// tests have it, and each test starts it on free ports of loopback with a data folder
// of its own. It asks a server over HTTP, as any other client does.
package e2e

package main

import (
	"fmt"
	"io"
	"net"
)

// announce prints what to open.
func (a *app) announce(w io.Writer) {
	addr := a.server.Addr()
	url := "http://" + reachable(addr)
	fmt.Fprintf(w, "weir is ready\n\n  publish     %s/publish\n  watch       %s/\n  recordings  %s/recordings\n  WHIP        %s/whip/NAME\n\n",
		url, url, url, url)
	var others []string
	if addr.IP.IsUnspecified() {
		others = interfaceAddrs()
	} else if !addr.IP.IsLoopback() {
		others = []string{addr.IP.String()}
	}
	for _, host := range others {
		fmt.Fprintf(w, "  from other machines  http://%s/  (browsers give them a camera only over HTTPS)\n\n",
			net.JoinHostPort(host, fmt.Sprint(addr.Port)))
	}
	fmt.Fprintf(w, "media goes through UDP %s; Ctrl-C stops\n", a.port.Addr())
	if rtc, ok := a.port.Addr().(*net.UDPAddr); ok && rtc.IP.IsLoopback() && !addr.IP.IsLoopback() {
		a.log.Warn("other machines can open the pages but get no media: --rtc-addr is on loopback", "rtc", rtc.String())
	}
	a.log.Info("listening", "http", addr.String(), "rtc", a.port.Addr().String())
}

// reachable is the host and port under which this machine reaches addr.
func reachable(addr *net.TCPAddr) string {
	host := addr.IP.String()
	if addr.IP.IsUnspecified() || addr.IP.IsLoopback() {
		host = "localhost" // what browsers treat as secure under a name that people know
	}
	return net.JoinHostPort(host, fmt.Sprint(addr.Port))
}

// interfaceAddrs returns the IPv4 addresses under which others may reach this
// machine: an address that can be read out and typed.
func interfaceAddrs() []string {
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		return nil // only words are missing
	}
	var hosts []string
	for _, a := range addrs {
		if n, ok := a.(*net.IPNet); ok && n.IP.To4() != nil && n.IP.IsGlobalUnicast() {
			hosts = append(hosts, n.IP.String())
		}
	}
	return hosts
}

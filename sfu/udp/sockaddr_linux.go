package udp

import (
	"net"
	"net/netip"
	"strconv"
	"sync"
	"unsafe"

	"golang.org/x/sys/unix"
)

// sockaddr is room for an IPv4 or an IPv6 address as the kernel has it.
type sockaddr = unix.RawSockaddrInet6

// noFamily is an address family that the kernel refuses (EAFNOSUPPORT).
const noFamily = 0xffff

// encode writes to to a and returns its length. inet6 is the socket's family. An
// address that does not fit the socket is left for the kernel to refuse.
func encode(a *sockaddr, to netip.AddrPort, inet6 bool) (length uint32) {
	ip := to.Addr()
	switch {
	case !ip.IsValid():
		a.Family = noFamily
	case !inet6 && (ip.Is4() || ip.Is4In6()):
		a4 := (*unix.RawSockaddrInet4)(unsafe.Pointer(a))
		a4.Family, a4.Addr, a4.Zero = unix.AF_INET, ip.As4(), [8]byte{}
		setPort(&a.Port, to.Port())
		return unix.SizeofSockaddrInet4
	default:
		a.Family, a.Addr, a.Flowinfo, a.Scope_id = unix.AF_INET6, ip.As16(), 0, 0
		if zone := ip.Zone(); zone != "" {
			a.Scope_id = zones.index(zone)
		}
		setPort(&a.Port, to.Port())
	}
	return unix.SizeofSockaddrInet6
}

// decode returns the address in a: an IPv4 one is plain.
func decode(a *sockaddr) netip.AddrPort {
	port := (*[2]byte)(unsafe.Pointer(&a.Port))
	var ip netip.Addr
	switch a.Family {
	case unix.AF_INET:
		ip = netip.AddrFrom4((*unix.RawSockaddrInet4)(unsafe.Pointer(a)).Addr)
	case unix.AF_INET6:
		ip = netip.AddrFrom16(a.Addr).Unmap()
		if a.Scope_id != 0 && ip.Is6() {
			ip = ip.WithZone(zones.name(a.Scope_id))
		}
	}
	return netip.AddrPortFrom(ip, uint16(port[0])<<8|uint16(port[1]))
}

// setPort sets a port, which is in network byte order, whatever the machine's is.
func setPort(field *uint16, port uint16) {
	*(*[2]byte)(unsafe.Pointer(field)) = [2]byte{byte(port >> 8), byte(port)}
}

// zones remembers the network interfaces that link-local addresses have named:
// asking the system takes several calls. An interface that is removed keeps its
// number until the program ends, as numbers are not used twice in practice.
var zones zoneTable

type zoneTable struct {
	names   sync.Map // uint32 to string
	indices sync.Map // string to uint32
}

// name returns the name of interface number i, or the number if it has none.
func (z *zoneTable) name(i uint32) string {
	if name, ok := z.names.Load(i); ok {
		return name.(string)
	}
	name := strconv.FormatUint(uint64(i), 10)
	if in, err := net.InterfaceByIndex(int(i)); err == nil {
		name = in.Name
	}
	z.names.Store(i, name)
	return name
}

// index returns the number of the interface with a name or number; 0 if there is
// none, which the kernel refuses for a link-local address.
func (z *zoneTable) index(name string) uint32 {
	if i, ok := z.indices.Load(name); ok {
		return i.(uint32)
	}
	var index uint32
	if in, err := net.InterfaceByName(name); err == nil {
		index = uint32(in.Index)
	} else if i, err := strconv.ParseUint(name, 10, 32); err == nil {
		index = uint32(i)
	} else {
		return 0 // not remembered: names may come from the network
	}
	z.indices.Store(name, index)
	return index
}

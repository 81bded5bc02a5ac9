package main

import (
	"log/slog"

	"weir/sfu/peer"
	"weir/sfu/udp"
	"weir/signaling/admin"
)

// mediaSocket is what there is to tell of a udp.Conn.
type mediaSocket interface {
	Stats() udp.Stats
	OnFallback(func(error))
}

// logSocket logs how the media socket works, and each refusal of the kernel that
// makes it slower, whether that was at the start or comes later.
func logSocket(log *slog.Logger, c mediaSocket) {
	s := c.Stats()
	log.Info("media socket", "sends", s.Mode, "aggregated", s.Aggregated, "receive_buffer", s.ReceiveBuffer, "send_buffer", s.SendBuffer)
	c.OnFallback(func(err error) { log.Warn("media socket is slower than it might be", "reason", err) })
}

// socketMetrics are the figures of the media socket.
func socketMetrics(s udp.Stats, p peer.PortStats) []admin.Metric {
	count := func(name, help string, n uint64) admin.Metric {
		return admin.Metric{Name: "weir_udp_" + name + "_total", Help: help, Counter: true, Series: []admin.Series{{Value: float64(n)}}}
	}
	gauge := func(name, help string, series ...admin.Series) admin.Metric {
		return admin.Metric{Name: "weir_udp_" + name, Help: help, Series: series}
	}
	var modes []admin.Series
	for _, m := range []udp.Mode{udp.Plain, udp.Batched, udp.Segmented} {
		modes = append(modes, admin.Series{Labels: []admin.Label{{Name: "mode", Value: m.String()}}, Value: number(m == s.Mode)})
	}
	return []admin.Metric{
		gauge("send_mode", "How batches leave the media socket: 1 for the form that is in use.", modes...),
		gauge("receive_batched", "Whether one system call may bring many messages (recvmmsg): 1 or 0.", admin.Series{Value: number(s.ReadFallback == nil)}),
		gauge("receive_aggregated", "Whether the kernel joins datagrams for one read (UDP_GRO): 1 or 0.", admin.Series{Value: number(s.Aggregated)}),
		gauge("send_buffer_bytes", "Size of the send buffer, as the kernel counts.", admin.Series{Value: float64(s.SendBuffer)}),
		gauge("receive_buffer_bytes", "Size of the receive buffer, as the kernel counts.", admin.Series{Value: float64(s.ReceiveBuffer)}),
		count("sent_datagrams", "Datagrams that the kernel took.", s.Sent),
		count("segmented_datagrams", "Those of them that left in segmented messages.", s.Segments),
		count("send_calls", "System calls for batches.", s.Batches),
		count("refused_messages", "Segmented messages that the kernel refused, and that were sent as single datagrams.", s.Refused),
		count("dropped_datagrams", "Datagrams for which the send buffer had no room.", s.Dropped),
		count("failed_datagrams", "Datagrams whose destination or size the kernel refused.", s.Failed),
		count("received_datagrams", "Datagrams that were received.", s.Received),
		count("receive_calls", "System calls that received them.", s.Reads),
		count("truncated_datagrams", "Received datagrams that were too large, and were cut.", s.Truncated),
		count("lost_datagrams", "Datagrams that the kernel dropped before they were read, as the receive buffer was full.", s.Lost),
		count("dropped_handshakes", "Datagrams of handshakes for which a session had no room; its client sends them again.", p.Dropped),
	}
}

// number is 1 for true and 0 for false.
func number(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

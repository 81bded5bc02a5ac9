package peer

import (
	"slices"

	"weir/sfu"
	"weir/sfu/peer/transport"
)

// shardBatch is where the viewers of one shard put what they send. It is flushed when
// the shard has served all of them.
type shardBatch struct {
	transport.Batch
	port *Port
}

// UseOutbox implements sfu.OutboxWriter.
func (v *Viewer) UseOutbox(there []sfu.Outbox) sfu.Outbox {
	i := slices.IndexFunc(there, func(o sfu.Outbox) bool {
		mine, ok := o.(*shardBatch)
		return ok && mine.port == v.port
	})
	if i >= 0 {
		v.batch = there[i].(*shardBatch)
	} else {
		v.batch = &shardBatch{v.port.demux.NewBatch(), v.port}
	}
	return v.batch
}

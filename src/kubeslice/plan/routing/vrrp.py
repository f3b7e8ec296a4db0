"""The configuration of keepalived for one router: it shares the two virtual next hops with its partner. Pure.

Each router is meant to hold the next hop of its own number, so that both carry traffic; when one does not say any
more that it lives (VRRP version 3, RFC 5798), the other holds both. Who takes a next hop tells every pod so by ARP.
"""

from kubeslice.model.names import OVERLAY_INTERFACE, ROUTERS
from kubeslice.plan.datapath.segment import Segment

INTERVAL = 0.1  # seconds; three that are missing are too many
# A router that comes back lets its partner go on until it knows the ways again.
PREEMPT_DELAY = 5
OWN_PRIORITY, OTHER_PRIORITY = 200, 100

HEAD = """\
global_defs {{
  router_id {name}
  vrrp_version 3
  vrrp_check_unicast_src
  vrrp_garp_master_delay 1
  vrrp_garp_master_repeat 3
  vrrp_garp_master_refresh 10
  vrrp_garp_lower_prio_repeat 3
}}
"""
INSTANCE = """
vrrp_instance next_hop_{number} {{
  state BACKUP
  interface {device}
  virtual_router_id {identity}
  priority {priority}
  advert_int {interval}
  preempt_delay {preempt_delay}
  unicast_src_ip {own}
  unicast_peer {{
    {partner}
  }}
  virtual_ipaddress {{
    {next_hop}/32 dev {device}
  }}
}}
"""


def configuration(segment: Segment, router: int) -> str:
    """Return keepalived.conf of a router."""
    head = HEAD.format(name=f"router-{router}")
    return head + "".join(_instance(segment, router, number) for number in range(ROUTERS))


def partner(router: int) -> int:
    """Return the number of the other router."""
    return 1 - router


def _instance(segment: Segment, router: int, number: int) -> str:
    cluster = segment.cluster
    return INSTANCE.format(
        number=number,
        device=OVERLAY_INTERFACE,
        identity=number + 1,
        priority=OWN_PRIORITY if number == router else OTHER_PRIORITY,
        interval=INTERVAL,
        preempt_delay=PREEMPT_DELAY,
        own=cluster.router(router),
        partner=cluster.router(partner(router)),
        next_hop=cluster.router_next_hop(number),
    )

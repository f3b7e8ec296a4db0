"""All custom resources in one list, for CRDs and reference pages. Processes import single kinds instead."""

from kubeslice.model.base import Kind
from kubeslice.model.cluster import Cluster
from kubeslice.model.project import Project
from kubeslice.model.serviceexport import ServiceExport
from kubeslice.model.serviceexportconfig import ServiceExportConfig
from kubeslice.model.serviceimport import ServiceImport
from kubeslice.model.slice import Slice
from kubeslice.model.sliceconfig import SliceConfig
from kubeslice.model.slicegateway import SliceGateway
from kubeslice.model.sliceipam import SliceIpam
from kubeslice.model.sliceqosconfig import SliceQoSConfig
from kubeslice.model.sliceresourcequota import SliceResourceQuota
from kubeslice.model.vpnkeyrotation import VpnKeyRotation
from kubeslice.model.workerserviceimport import WorkerServiceImport
from kubeslice.model.workersliceconfig import WorkerSliceConfig
from kubeslice.model.workerslicegateway import WorkerSliceGateway
from kubeslice.model.workerslicegwrecycler import WorkerSliceGwRecycler

HUB_KINDS: tuple[type[Kind], ...] = (
    Project,
    Cluster,
    SliceConfig,
    SliceQoSConfig,
    SliceResourceQuota,
    SliceIpam,
    VpnKeyRotation,
    ServiceExportConfig,
    WorkerSliceConfig,
    WorkerSliceGateway,
    WorkerSliceGwRecycler,
    WorkerServiceImport,
)
WORKER_KINDS: tuple[type[Kind], ...] = (Slice, SliceGateway, ServiceExport, ServiceImport)

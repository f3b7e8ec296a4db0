"""The lab's kubelet: one process per node that runs the pods bound to it, as the real one does with containerd.

`decisions`, `status`, `environment`, `spec` and `payloads` are pure; `worker` is the shell around them for one pod.
"""

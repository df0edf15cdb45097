"""Control: pictures that steer every step, through ControlNets and T2I-Adapters."""

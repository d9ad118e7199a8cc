using Hosting.Simulation.Tests.ControlPlane;
using Hosting.Vms;

namespace Hosting.Simulation.Tests.World;

/// <summary>The way to one agent over one of its streams: messages may be lost, and nobody is told.</summary>
internal sealed class AgentLink(Region region, Agent agent, long session)
{
    public void Apply(DesiredVm desired) => region.Network.Tell(() => agent.Take(desired, session));

    public void Close() => region.Network.Tell(() => agent.Close(session));
}

using System.Threading.Channels;
using Hosting.Protocol;
using Hosting.Servers;
using Grpc.Core;

namespace Hosting.Silo.Agents;

/// <summary>The way to one agent: what grains send is queued and written to its stream in order.</summary>
internal sealed class AgentLink : IAgentLink
{
    // Desired states replace each other and are repeated: when an agent reads too slowly, the oldest may go.
    private readonly Channel<HubMessage> _outgoing = Channel.CreateBounded<HubMessage>(
        new BoundedChannelOptions(64) { FullMode = BoundedChannelFullMode.DropOldest, SingleReader = true });

    public Task Apply(Vms.DesiredVm desired)
    {
        _outgoing.Writer.TryWrite(AgentMessages.Write(desired));
        return Task.CompletedTask;
    }

    public Task Govern(ServerPolicy policy)
    {
        _outgoing.Writer.TryWrite(AgentMessages.Write(policy));
        return Task.CompletedTask;
    }

    public Task ReadLogs(long request, LogRead read)
    {
        _outgoing.Writer.TryWrite(AgentMessages.Write(request, read));
        return Task.CompletedTask;
    }

    public Task CloseLogs(string reader)
    {
        _outgoing.Writer.TryWrite(new HubMessage { CloseLogs = new CloseLogs { Reader = reader } });
        return Task.CompletedTask;
    }

    public Task Check(long request)
    {
        _outgoing.Writer.TryWrite(new HubMessage { CheckServer = new CheckServer { Request = request } });
        return Task.CompletedTask;
    }

    public Task Close(string reason)
    {
        _outgoing.Writer.TryWrite(new HubMessage { Refused = new Refused { Reason = reason } });
        _outgoing.Writer.TryComplete();
        return Task.CompletedTask;
    }

    /// <summary>Welcomes the agent, then writes what is queued until the link is closed.</summary>
    public async Task Pump(IServerStreamWriter<HubMessage> stream, CancellationToken cancellation)
    {
        await stream.WriteAsync(new HubMessage { Welcome = new Welcome() }, cancellation);
        await foreach (var message in _outgoing.Reader.ReadAllAsync(cancellation))
            await stream.WriteAsync(message, cancellation);
    }
}

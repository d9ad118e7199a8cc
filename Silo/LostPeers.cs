using System.Net;
using System.Net.Sockets;
using System.Threading.Channels;
using Microsoft.AspNetCore.Connections;

namespace Hosting.Silo;

/// <summary>
/// Notices within a quarter of a second that another silo's process has ended without leaving: a connection to it ends, and then its
/// machine refuses new ones. Probes need seconds for that. A silo that is frozen and a machine that is lost or cut off refuse
/// nothing, and are left to the probes.
/// </summary>
internal sealed class LostPeers(IServiceProvider services, TimeProvider clock, ILogger<LostPeers> log) : BackgroundService
{
    // The second one tells a port that was closed from one that was not open yet.
    private const int Refusals = 2;
    private const int Waiting = 256;
    private static readonly TimeSpan Between = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(1);

    private readonly Channel<IPEndPoint> _ended = Channel.CreateBounded<IPEndPoint>(
        new BoundedChannelOptions(Waiting) { FullMode = BoundedChannelFullMode.DropOldest });

    // Asked for late: the membership needs connections, and those need this.
    private IClusterMembershipService Cluster => services.GetRequiredService<IClusterMembershipService>();

    /// <summary>To be run around each connection to another silo.</summary>
    public ConnectionDelegate Around(ConnectionDelegate connection) => async context =>
    {
        var peer = context.RemoteEndPoint as IPEndPoint;
        try
        {
            await connection(context);
        }
        finally
        {
            if (peer is not null)
                _ended.Writer.TryWrite(peer);
        }
    };

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await foreach (var peer in _ended.Reader.ReadAllAsync(stoppingToken))
        {
            if (Active(peer) is not { } silo)
                continue;
            try
            {
                if (await HasEnded(peer, stoppingToken) && Active(peer) == silo)
                    await GiveUp(silo).WaitAsync(Deadline, clock, stoppingToken);
            }
            catch (Exception failure) when (failure is not OperationCanceledException)
            {
                log.LogWarning("Silo {Silo} has ended and could not be given up at once, so it is when it has missed its probes: {Reason}", silo, failure.Message);
            }
        }
    }

    /// <summary>Whether a machine says, and says again, that nothing listens there.</summary>
    internal static async Task<bool> HasEnded(IPEndPoint peer, CancellationToken cancellation)
    {
        for (var refusals = 0; refusals < Refusals; refusals++)
        {
            if (refusals > 0)
                await Task.Delay(Between, cancellation);
            if (!await Refuses(peer, cancellation))
                return false;
        }
        return true;
    }

    private static async Task<bool> Refuses(IPEndPoint peer, CancellationToken cancellation)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        deadline.CancelAfter(Deadline);
        using var socket = new Socket(peer.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            await socket.ConnectAsync(peer, deadline.Token);
            return false;
        }
        catch (SocketException refused)
        {
            return refused.SocketErrorCode == SocketError.ConnectionRefused;
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            return false;
        }
    }

    /// <summary>The silo of that address as of now, one generation of it: its successor may be there before the checks are over.</summary>
    private SiloAddress? Active(IPEndPoint peer) => Cluster.CurrentSnapshot.Members.Values
        .FirstOrDefault(member => member.Status == SiloStatus.Active && member.SiloAddress.Endpoint.Equals(peer))?.SiloAddress;

    private async Task GiveUp(SiloAddress silo)
    {
        if (await Cluster.TryKill(silo))
            log.LogWarning("Silo {Silo} has ended without leaving: its machine refuses connections to it. It is given up, and its grains go on in the others.", silo);
    }
}

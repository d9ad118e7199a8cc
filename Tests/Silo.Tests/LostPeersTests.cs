using System.Net;
using System.Net.Sockets;
using Hosting.Support;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Configuration;

namespace Hosting.Silo.Tests;

/// <summary>A silo whose process has ended is given up without waiting for probes, and none that still listens.</summary>
public sealed class LostPeersTests
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_silo_that_ended_is_given_up_at_once_and_one_that_only_dropped_a_connection_is_not()
    {
        await using var postgres = await PostgresServer.Start(fsync: false);
        await using var silo = await RunningSilo.Start(await postgres.CreateDatabase(), "eu-1", change: services =>
            services.PostConfigure<ClusterMembershipOptions>(o => (o.NumMissedProbesLimit, o.TableRefreshTimeout) = (100, TimeSpan.FromSeconds(1))));
        using var peer = new TcpListener(IPAddress.Loopback, 0);
        peer.Start();
        var address = await Join(silo, (IPEndPoint)peer.LocalEndpoint);

        (await Connection(peer)).Dispose();
        using var again = await Connection(peer);
        Assert.Equal(SiloStatus.Active, await Status(silo, address));

        peer.Stop();
        again.Dispose();
        await SiloUnderTest.Eventually(async () => await Status(silo, address) == SiloStatus.Dead, "the silo that ended is given up");
    }

    [Fact]
    public async Task Ended_is_what_is_refused_twice()
    {
        using var peer = new TcpListener(IPAddress.Loopback, 0);
        peer.Start();
        var address = (IPEndPoint)peer.LocalEndpoint;
        Assert.False(await LostPeers.HasEnded(address, Cancelled));
        peer.Stop();
        Assert.True(await LostPeers.HasEnded(address, Cancelled));
        var ended = LostPeers.HasEnded(address, Cancelled);
        using var successor = new TcpListener(address);
        successor.Start();
        Assert.False(await ended);
    }

    [Theory]
    [InlineData(1, true)]
    [InlineData(2, false)]
    public async Task One_silo_gives_another_up_only_where_one_vote_is_enough(int votes, bool watches)
    {
        var options = new SiloOptions { ConnectionString = "Host=nowhere.invalid", Regions = "eu-1", Tuning = new ClusterTuning { Votes = votes } };
        await using var silo = SiloApp.Build(WebApplication.CreateBuilder(new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory }), options);
        Assert.Equal(watches, silo.Services.GetService<LostPeers>() is not null);
    }

    /// <summary>The membership gets a silo that listens, and never answers.</summary>
    private static async Task<SiloAddress> Join(RunningSilo silo, IPEndPoint endpoint)
    {
        var table = silo.Services.GetRequiredService<IMembershipTable>();
        var address = SiloAddress.New(endpoint, SiloAddress.AllocateNewGeneration());
        var now = TimeProvider.System.GetUtcNow().UtcDateTime;
        var row = new MembershipEntry
        {
            SiloAddress = address,
            SiloName = "peer@eu-1",
            HostName = "peer",
            RoleName = "peer",
            Status = SiloStatus.Active,
            StartTime = now,
            IAmAliveTime = now,
            SuspectTimes = [],
        };
        Assert.True(await table.InsertRowAsync(row, (await table.ReadAllAsync()).Version.Next()));
        return address;
    }

    private static async Task<SiloStatus> Status(RunningSilo silo, SiloAddress address)
    {
        var rows = await silo.Services.GetRequiredService<IMembershipTable>().ReadRowAsync(address);
        return Assert.Single(rows.Members).Item1.Status;
    }

    /// <summary>The next connection on which something is said; the others only look whether somebody listens.</summary>
    private static async Task<Socket> Connection(TcpListener peer)
    {
        while (true)
        {
            var connection = await peer.AcceptSocketAsync(Cancelled).AsTask().WaitAsync(TimeSpan.FromSeconds(20), Cancelled);
            if (await connection.ReceiveAsync(new byte[1], Cancelled) > 0)
                return connection;
            connection.Dispose();
        }
    }
}

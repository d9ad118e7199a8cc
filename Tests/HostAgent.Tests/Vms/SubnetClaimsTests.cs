using System.Collections.Concurrent;
using Hosting.HostAgent.Vms;

namespace Hosting.HostAgent.Tests.Vms;

public sealed class SubnetClaimsTests : IDisposable
{
    private const int Agents = 6;
    private const int TurnsEach = 60;
    private readonly string _above = Directory.CreateTempSubdirectory("hosting-claims-").FullName;
    private readonly string _directory;

    public SubnetClaimsTests() => _directory = Path.Combine(_above, "machine");

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_above, recursive: true);

    [Fact]
    public async Task A_VM_keeps_its_subnet_and_another_gets_another()
    {
        var claims = new SubnetClaims(_directory);
        var first = await Take(claims, "one");
        Assert.NotEqual(first, await Take(claims, "two"));
        Assert.Equal(first, await Take(new SubnetClaims(_directory), "one"));
    }

    [Fact]
    public async Task The_last_one_to_go_leaves_nothing()
    {
        var claims = new SubnetClaims(_directory);
        await Take(claims, "one");
        await Take(claims, "two");
        await claims.ReleaseAsync("one", Cancellation);
        await claims.RemoveUnusedAsync(Cancellation);
        Assert.True(Directory.Exists(_directory));

        await claims.ReleaseAsync("two", Cancellation);
        await claims.RemoveUnusedAsync(Cancellation);
        Assert.False(Directory.Exists(_directory));
        await claims.RemoveUnusedAsync(Cancellation);
        Assert.False(Directory.Exists(_directory));
    }

    [Fact]
    public async Task What_is_not_of_subnets_stays()
    {
        var claims = new SubnetClaims(_directory);
        await Take(claims, "one");
        var other = Path.Combine(_directory, "other");
        await File.WriteAllTextAsync(other, "", Cancellation);
        await claims.ReleaseAsync("one", Cancellation);
        await claims.RemoveUnusedAsync(Cancellation);
        Assert.Equal([other], Directory.GetFileSystemEntries(_directory));
    }

    [Fact]
    public async Task Two_never_have_the_same_subnet_though_others_take_the_place_away_meanwhile()
    {
        var taken = new ConcurrentDictionary<int, string>();
        await Task.WhenAll(Enumerable.Range(0, Agents).Select(agent => Task.Run(async () =>
        {
            var (claims, owner) = (new SubnetClaims(_directory), $"vm-{agent}");
            for (var turn = 0; turn < TurnsEach; turn++)
            {
                var subnet = await Take(claims, owner);
                Assert.True(taken.TryAdd(subnet, owner), $"subnet {subnet} is given to {owner} and to {taken.GetValueOrDefault(subnet)}");
                await Task.Yield();
                taken.TryRemove(subnet, out _);
                await claims.ReleaseAsync(owner, Cancellation);
                await claims.RemoveUnusedAsync(Cancellation);
            }
        }, Cancellation)));
        Assert.False(Directory.Exists(_directory));
    }

    private static Task<int> Take(SubnetClaims claims, string owner) =>
        claims.TakeAsync(new SubnetClaims.Claim(owner, owner, [HostProcess.Find(Environment.ProcessId)!]), _ => Task.CompletedTask, Cancellation);
}

using Hosting.HostAgent.Files;
using Hosting.HostAgent.Vms;

namespace Hosting.HostAgent.Tests.Vms;

/// <summary>Agents of one machine meet in a directory, which the last one to be purged takes with it.</summary>
public sealed class SubnetClaimsTests : IDisposable
{
    private readonly string _directory = Path.Combine(Directory.CreateTempSubdirectory("claims-").FullName, "machine");

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(Path.GetDirectoryName(_directory)!, recursive: true);

    [Fact]
    public async Task The_last_to_leave_takes_the_directory_with_it()
    {
        var claims = new SubnetClaims(_directory);
        Assert.Equal(0, await Take(claims, "vm-a"));
        Assert.Equal(1, await Take(claims, "vm-b"));
        await File.WriteAllTextAsync(Path.Combine(_directory, SubnetClaims.Probe), "{}", Cancelled);

        await claims.ReleaseAsync("vm-a", Cancelled);
        await claims.LeaveAsync(Cancelled);
        Assert.True(File.Exists(Path.Combine(_directory, SubnetClaims.Probe)));

        await claims.ReleaseAsync("vm-b", Cancelled);
        await claims.LeaveAsync(Cancelled);
        Assert.False(Directory.Exists(_directory));
    }

    [Fact]
    public async Task What_is_not_known_is_somebodys()
    {
        var claims = new SubnetClaims(_directory);
        await claims.ReleaseAsync("nobody", Cancelled);
        await File.WriteAllTextAsync(Path.Combine(_directory, "vm-c"), "", Cancelled);
        await claims.LeaveAsync(Cancelled);
        Assert.True(File.Exists(Path.Combine(_directory, "vm-c")));
    }

    [Fact]
    public async Task Who_waits_for_a_directory_that_is_removed_gets_the_next_one()
    {
        var path = Path.Combine(_directory, "lock");
        var held = await DirectoryLock.TakeAsync(path, TimeSpan.Zero, Cancelled);
        var waiting = DirectoryLock.TakeAsync(path, TimeSpan.FromSeconds(30), Cancelled);
        Assert.False(waiting.IsCompleted);
        Directory.Delete(_directory, recursive: true);
        held!.Dispose();
        using var taken = await waiting;
        Assert.NotNull(taken);
        Assert.True(File.Exists(path));
        Assert.Null(await DirectoryLock.TakeAsync(path, TimeSpan.Zero, Cancelled));
    }

    private static Task<int> Take(SubnetClaims claims, string owner) => claims.TakeAsync(
        new SubnetClaims.Claim(owner, "veth", [HostProcess.Find(Environment.ProcessId)!]), _ => Task.CompletedTask, Cancelled);
}

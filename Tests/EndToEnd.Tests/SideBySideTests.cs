using System.Diagnostics;

namespace Hosting.EndToEnd.Tests;

/// <summary>A second stack on the same machine, with two servers as control groups in two regions, and its end.</summary>
public class SideBySideTests
{
    [Fact]
    public async Task A_second_stack_runs_beside_the_first_and_leaves_nothing()
    {
        var second = new Stack(Path.Combine(Path.GetTempPath(), $"hosting-e2e2-{Environment.ProcessId}"));
        var (exitCode, output, error) = await second.Run("infra/up", "--servers", "2", "--regions", "2");
        try
        {
            Assert.True(exitCode == 0, output + error);
            Assert.Equal(2, (await second.Get("servers")).AsArray().Count);
            using var hello = await second.GetApp("hello");
            Assert.True(hello.IsSuccessStatusCode);
        }
        finally
        {
            await second.Run("infra/down", "--purge");
        }
        Assert.False(Directory.Exists(second.Home));
        Assert.DoesNotContain(second.Home, CommandLines());
    }

    private static string CommandLines()
    {
        var lines = Process.GetProcesses().Select(p =>
        {
            using (p)
            {
                try
                {
                    return File.ReadAllText($"/proc/{p.Id}/cmdline");
                }
                catch (IOException)
                {
                    return "";
                }
            }
        });
        return string.Join('\n', lines);
    }
}

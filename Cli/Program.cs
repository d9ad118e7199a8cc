using Hosting.Cli;

return await CommandLine.Run(args, Terminal.OfProcess(), TimeProvider.System);
